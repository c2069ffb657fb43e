CREATE TABLE "flowerpower_queue"."artifact_stores" (
	"id" uuid PRIMARY KEY,
	"url" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."artifacts" ADD COLUMN "position" integer;--> statement-breakpoint
-- Rows of before get the order in which they were shown until now.
UPDATE "flowerpower_queue"."artifacts" a SET "position" = o.place FROM (
  SELECT id, row_number() OVER (PARTITION BY job_id, attempt ORDER BY name) AS place FROM "flowerpower_queue"."artifacts"
) o WHERE o.id = a.id;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."artifacts" ADD COLUMN "store" uuid;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."artifacts" ADD COLUMN "schema" jsonb;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."artifacts" ADD COLUMN "preview" jsonb;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."artifacts" ADD COLUMN "removed_at" timestamp(3) with time zone;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."attempts" ADD COLUMN "stored_ms" double precision;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."workers" ADD COLUMN "store" uuid;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."workers" ADD COLUMN "store_problem" text;--> statement-breakpoint
CREATE UNIQUE INDEX "artifacts_position" ON "flowerpower_queue"."artifacts" ("job_id","attempt","position");--> statement-breakpoint
CREATE INDEX "artifacts_expiring" ON "flowerpower_queue"."artifacts" ("expires_at") WHERE "expires_at" is not null and "removed_at" is null;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."artifacts" ADD CONSTRAINT "artifacts_stored" CHECK ("uri" is null or "store" is not null);