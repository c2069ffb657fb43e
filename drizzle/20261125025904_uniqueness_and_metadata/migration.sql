CREATE TABLE "flowerpower_queue"."job_metadata" (
	"key" text,
	"value" text,
	"job_id" uuid,
	CONSTRAINT "job_metadata_pkey" PRIMARY KEY("key","value","job_id")
);
--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."job_requests" ADD COLUMN "metadata" jsonb;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."jobs" ADD COLUMN "unique_key" text;--> statement-breakpoint
CREATE INDEX "job_metadata_job" ON "flowerpower_queue"."job_metadata" ("job_id");--> statement-breakpoint
CREATE INDEX "jobs_unique" ON "flowerpower_queue"."jobs" ("project","unique_key") WHERE "unique_key" is not null and "finished_at" is null;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."job_metadata" ADD CONSTRAINT "job_metadata_job_id_jobs_id_fkey" FOREIGN KEY ("job_id") REFERENCES "flowerpower_queue"."jobs"("id") ON DELETE CASCADE;