CREATE TABLE "flowerpower_queue"."failure_groups" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	"project" text NOT NULL,
	"pipeline" text NOT NULL,
	"node" text NOT NULL,
	"error_class" text NOT NULL,
	"code_hash" text NOT NULL,
	"error_kind" text NOT NULL,
	"count" bigint NOT NULL,
	"first_seen_at" timestamp(3) with time zone NOT NULL,
	"last_seen_at" timestamp(3) with time zone NOT NULL,
	"last_job_id" uuid NOT NULL,
	"last_message" text NOT NULL,
	"closed_at" timestamp(3) with time zone,
	"closed_by" uuid,
	CONSTRAINT "failure_groups_key" UNIQUE("project","pipeline","node","error_class","code_hash"),
	CONSTRAINT "failure_groups_closed" CHECK (("closed_at" is null) = ("closed_by" is null)),
	CONSTRAINT "failure_groups_error_kind" CHECK ("error_kind" in ('PIPELINE', 'TIMEOUT', 'WORKER_LOST', 'CANCELLED', 'INVALID'))
);
--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."job_requests" ADD COLUMN "rerun_of" uuid;--> statement-breakpoint
CREATE INDEX "failure_groups_open" ON "flowerpower_queue"."failure_groups" ("last_seen_at","id") WHERE "closed_at" is null;--> statement-breakpoint
CREATE INDEX "failure_groups_open_project" ON "flowerpower_queue"."failure_groups" ("project","last_seen_at","id") WHERE "closed_at" is null;--> statement-breakpoint
CREATE INDEX "failure_groups_open_pipeline" ON "flowerpower_queue"."failure_groups" ("project","pipeline","last_seen_at","id") WHERE "closed_at" is null;--> statement-breakpoint
CREATE INDEX "failure_groups_closed" ON "flowerpower_queue"."failure_groups" ("last_seen_at","id") WHERE "closed_at" is not null;--> statement-breakpoint
CREATE INDEX "failure_groups_closed_project" ON "flowerpower_queue"."failure_groups" ("project","last_seen_at","id") WHERE "closed_at" is not null;--> statement-breakpoint
CREATE INDEX "failure_groups_closed_pipeline" ON "flowerpower_queue"."failure_groups" ("project","pipeline","last_seen_at","id") WHERE "closed_at" is not null;--> statement-breakpoint
CREATE INDEX "job_requests_rerun_of" ON "flowerpower_queue"."job_requests" ("rerun_of","job_id") WHERE "rerun_of" is not null;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."job_requests" ADD CONSTRAINT "job_requests_rerun_of_jobs_id_fkey" FOREIGN KEY ("rerun_of") REFERENCES "flowerpower_queue"."jobs"("id") ON DELETE SET NULL;