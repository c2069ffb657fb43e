ALTER TABLE "flowerpower_queue"."label_sets" ADD COLUMN "used_at" timestamp(3) with time zone DEFAULT flowerpower_queue.queue_now() NOT NULL;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."queues" ADD COLUMN "job_defaults" jsonb;--> statement-breakpoint
CREATE INDEX "jobs_needs" ON "flowerpower_queue"."jobs" ("needs") WHERE "needs" is not null and "finished_at" is null;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."queues" ADD CONSTRAINT "queues_job_defaults" CHECK (jsonb_typeof("job_defaults") = 'object' and "job_defaults" <> '{}');