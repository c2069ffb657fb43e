CREATE TABLE "flowerpower_queue"."job_dependencies" (
	"job_id" uuid,
	"parent_id" uuid,
	"run_when" text NOT NULL,
	"otherwise" text NOT NULL,
	"resolved_at" timestamp(3) with time zone,
	CONSTRAINT "job_dependencies_pkey" PRIMARY KEY("job_id","parent_id"),
	CONSTRAINT "job_dependencies_run_when" CHECK ("run_when" in ('succeeded', 'failed', 'ended')),
	CONSTRAINT "job_dependencies_otherwise" CHECK ("otherwise" in ('cancel', 'block')),
	CONSTRAINT "job_dependencies_self" CHECK ("job_id" <> "parent_id")
);
--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."job_requests" ADD COLUMN "inputs_from" jsonb;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."jobs" ADD COLUMN "waiting_for" smallint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."jobs" ADD COLUMN "has_dependents" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX "job_dependencies_parent" ON "flowerpower_queue"."job_dependencies" ("parent_id","job_id");--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."job_dependencies" ADD CONSTRAINT "job_dependencies_job_id_jobs_id_fkey" FOREIGN KEY ("job_id") REFERENCES "flowerpower_queue"."jobs"("id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."jobs" ADD CONSTRAINT "jobs_waiting_for" CHECK ("waiting_for" >= 0);