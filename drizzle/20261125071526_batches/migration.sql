CREATE TABLE "flowerpower_queue"."batch_events" (
	"batch_id" uuid,
	"seq" integer,
	"type" text NOT NULL,
	"version" smallint NOT NULL,
	"recorded_at" timestamp(3) with time zone NOT NULL,
	"data" jsonb NOT NULL,
	CONSTRAINT "batch_events_pkey" PRIMARY KEY("batch_id","seq")
);
--> statement-breakpoint
CREATE TABLE "flowerpower_queue"."batches" (
	"id" uuid PRIMARY KEY,
	"name" text,
	"project" text,
	"pipeline" text,
	"total" integer NOT NULL,
	"actor" text NOT NULL,
	"idempotency_key" text,
	"fingerprint" text NOT NULL,
	"created_at" timestamp(3) with time zone NOT NULL,
	"opened_at" timestamp(3) with time zone NOT NULL,
	"completed_at" timestamp(3) with time zone,
	"outcome" text,
	"cancel_requested_at" timestamp(3) with time zone,
	"last_seq" integer NOT NULL,
	CONSTRAINT "batches_idempotency_key" UNIQUE("actor","idempotency_key"),
	CONSTRAINT "batches_total" CHECK ("total" > 0),
	CONSTRAINT "batches_pipeline" CHECK ("pipeline" is null or "project" is not null),
	CONSTRAINT "batches_outcome" CHECK ("outcome" in ('succeeded', 'failed', 'cancelled')),
	CONSTRAINT "batches_completed" CHECK (("completed_at" is null) = ("outcome" is null))
);
--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."jobs" ADD COLUMN "batch_id" uuid;--> statement-breakpoint
CREATE INDEX "batches_project_id" ON "flowerpower_queue"."batches" ("project","id");--> statement-breakpoint
CREATE INDEX "batches_pipeline_id" ON "flowerpower_queue"."batches" ("project","pipeline","id");--> statement-breakpoint
CREATE INDEX "batches_open" ON "flowerpower_queue"."batches" ("id") WHERE "completed_at" is null;--> statement-breakpoint
CREATE INDEX "jobs_batch_id" ON "flowerpower_queue"."jobs" ("batch_id","id") WHERE "batch_id" is not null;--> statement-breakpoint
CREATE INDEX "jobs_batch_state_id" ON "flowerpower_queue"."jobs" ("batch_id","state","id") WHERE "batch_id" is not null;--> statement-breakpoint
CREATE INDEX "jobs_batch_open" ON "flowerpower_queue"."jobs" ("batch_id") WHERE "batch_id" is not null and "finished_at" is null;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."batch_events" ADD CONSTRAINT "batch_events_batch_id_batches_id_fkey" FOREIGN KEY ("batch_id") REFERENCES "flowerpower_queue"."batches"("id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."jobs" ADD CONSTRAINT "jobs_batch_id_batches_id_fkey" FOREIGN KEY ("batch_id") REFERENCES "flowerpower_queue"."batches"("id");
--> statement-breakpoint
-- The log of a batch is append-only.
create trigger batch_events_append_only before update on flowerpower_queue.batch_events
  for each row execute function flowerpower_queue.refuse_update();
