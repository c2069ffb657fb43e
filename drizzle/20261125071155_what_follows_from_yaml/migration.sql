CREATE TABLE "flowerpower_queue"."follow_rules" (
	"project" text,
	"pipeline" text,
	"position" integer,
	"leader" text NOT NULL,
	"run_when" text NOT NULL,
	"inputs" jsonb NOT NULL,
	"problem" jsonb,
	CONSTRAINT "follow_rules_pkey" PRIMARY KEY("project","pipeline","position"),
	CONSTRAINT "follow_rules_run_when" CHECK ("run_when" in ('succeeded', 'failed', 'ended'))
);
--> statement-breakpoint
CREATE TABLE "flowerpower_queue"."follow_ups" (
	"job_id" uuid,
	"life" integer,
	"pipeline" text,
	"run_when" text NOT NULL,
	"inputs" jsonb NOT NULL,
	"chain" text[] NOT NULL,
	"state" text NOT NULL,
	"made_id" uuid,
	"problem" jsonb,
	"tries" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp(3) with time zone NOT NULL,
	"due_at" timestamp(3) with time zone NOT NULL,
	"decided_at" timestamp(3) with time zone,
	CONSTRAINT "follow_ups_pkey" PRIMARY KEY("job_id","life","pipeline"),
	CONSTRAINT "follow_ups_run_when" CHECK ("run_when" in ('succeeded', 'failed', 'ended')),
	CONSTRAINT "follow_ups_state" CHECK ("state" in ('open', 'enqueued', 'refused')),
	CONSTRAINT "follow_ups_made" CHECK (("made_id" is not null) = ("state" = 'enqueued')),
	CONSTRAINT "follow_ups_refused" CHECK ("state" <> 'refused' or "problem" is not null),
	CONSTRAINT "follow_ups_decided" CHECK (("decided_at" is null) = ("state" = 'open'))
);
--> statement-breakpoint
CREATE INDEX "follow_rules_leader" ON "flowerpower_queue"."follow_rules" ("project","leader");--> statement-breakpoint
CREATE INDEX "follow_ups_due" ON "flowerpower_queue"."follow_ups" ("due_at") WHERE "state" = 'open';--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."follow_rules" ADD CONSTRAINT "follow_rules_project_pipeline_pipelines_project_name_fkey" FOREIGN KEY ("project","pipeline") REFERENCES "flowerpower_queue"."pipelines"("project","name") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."follow_ups" ADD CONSTRAINT "follow_ups_job_id_jobs_id_fkey" FOREIGN KEY ("job_id") REFERENCES "flowerpower_queue"."jobs"("id") ON DELETE CASCADE;