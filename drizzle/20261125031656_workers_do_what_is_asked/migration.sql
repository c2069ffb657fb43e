CREATE TABLE "flowerpower_queue"."label_sets" (
	"labels" text[] PRIMARY KEY
);
--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."jobs" ADD COLUMN "needs" text[];--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."jobs" ADD COLUMN "stalled_at" timestamp(3) with time zone;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."workers" ADD COLUMN "environments" jsonb DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."workers" ADD COLUMN "labels" text[] DEFAULT '{}'::text[] NOT NULL;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."workers" ADD COLUMN "wanted" text;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."workers" ADD COLUMN "wanted_at" timestamp(3) with time zone;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."workers" ADD COLUMN "wanted_by" text;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."workers" ADD COLUMN "wanted_reason" text;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."workers" ADD COLUMN "stop_grace_ms" integer;--> statement-breakpoint
CREATE INDEX "jobs_stalled_id" ON "flowerpower_queue"."jobs" ("id") WHERE "stalled_at" is not null;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."jobs" ADD CONSTRAINT "jobs_stalled" CHECK ("stalled_at" is null or "state" = 'running');--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."workers" ADD CONSTRAINT "workers_wanted" CHECK ("wanted" in ('drain', 'stop'));--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."workers" ADD CONSTRAINT "workers_wanted_by" CHECK (("wanted" is null) = ("wanted_at" is null) and ("wanted" is null) = ("wanted_by" is null));--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."workers" ADD CONSTRAINT "workers_stop_grace" CHECK ("stop_grace_ms" is null or ("wanted" = 'stop' and "stop_grace_ms" >= 0));