CREATE SCHEMA IF NOT EXISTS "flowerpower_queue";
--> statement-breakpoint
CREATE TYPE "flowerpower_queue"."job_state" AS ENUM('scheduled', 'blocked', 'queued', 'running', 'retryable', 'succeeded', 'failed', 'cancelled', 'expired');--> statement-breakpoint
CREATE TABLE "flowerpower_queue"."artifacts" (
	"id" uuid PRIMARY KEY,
	"job_id" uuid NOT NULL,
	"attempt" integer NOT NULL,
	"name" text NOT NULL,
	"kind" text NOT NULL,
	"media_type" text,
	"uri" text,
	"bytes" bigint,
	"sha256" text,
	"summary" jsonb,
	"has_value" boolean NOT NULL,
	"value" jsonb,
	"omitted" text,
	"expires_at" timestamp(3) with time zone,
	CONSTRAINT "artifacts_name" UNIQUE("job_id","attempt","kind","name"),
	CONSTRAINT "artifacts_kind" CHECK ("kind" in ('result', 'file', 'log'))
);
--> statement-breakpoint
CREATE TABLE "flowerpower_queue"."attempts" (
	"job_id" uuid,
	"attempt" integer,
	"id" uuid NOT NULL UNIQUE,
	"life" integer NOT NULL,
	"run_token" uuid NOT NULL UNIQUE,
	"worker_id" uuid NOT NULL,
	"started_at" timestamp(3) with time zone NOT NULL,
	"ended_at" timestamp(3) with time zone,
	"outcome" text,
	"error_kind" text,
	"error" jsonb,
	"context" jsonb,
	"code_hash" text,
	"events_refused" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "attempts_pkey" PRIMARY KEY("job_id","attempt"),
	CONSTRAINT "attempts_ended" CHECK (("ended_at" is not null) = ("outcome" is not null)),
	CONSTRAINT "attempts_error_kind" CHECK ("error_kind" in ('PIPELINE', 'TIMEOUT', 'WORKER_LOST', 'CANCELLED', 'INVALID'))
);
--> statement-breakpoint
CREATE TABLE "flowerpower_queue"."audit" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "flowerpower_queue"."audit_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"at" timestamp(3) with time zone NOT NULL,
	"actor" text NOT NULL,
	"action" text NOT NULL,
	"target" text NOT NULL,
	"request_id" text,
	"data" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "flowerpower_queue"."events" (
	"job_id" uuid,
	"seq" integer,
	"id" bigint GENERATED ALWAYS AS IDENTITY (sequence name "flowerpower_queue"."events_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"xid" xid8 DEFAULT pg_current_xact_id() NOT NULL,
	"life" integer NOT NULL,
	"attempt" integer,
	"type" text NOT NULL,
	"version" smallint NOT NULL,
	"node" text,
	"branch" text,
	"recorded_at" timestamp(3) with time zone NOT NULL,
	"occurred_at" timestamp(3) with time zone NOT NULL,
	"source_seq" integer,
	"data" jsonb NOT NULL,
	CONSTRAINT "events_pkey" PRIMARY KEY("job_id","seq")
);
--> statement-breakpoint
CREATE TABLE "flowerpower_queue"."feeds" (
	"singleton" boolean PRIMARY KEY DEFAULT true,
	"epoch" uuid NOT NULL,
	"floor_xid" xid8 NOT NULL,
	"floor_id" bigint NOT NULL,
	"system_id" text NOT NULL,
	CONSTRAINT "feeds_singleton" CHECK ("singleton")
);
--> statement-breakpoint
CREATE TABLE "flowerpower_queue"."idempotency_keys" (
	"owner" text,
	"key" text,
	"fingerprint" text NOT NULL,
	"job_id" uuid NOT NULL,
	"created_at" timestamp(3) with time zone NOT NULL,
	CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY("owner","key")
);
--> statement-breakpoint
CREATE TABLE "flowerpower_queue"."job_requests" (
	"job_id" uuid PRIMARY KEY,
	"inputs" jsonb NOT NULL,
	"final_vars" jsonb,
	"config" jsonb NOT NULL,
	"options" jsonb NOT NULL,
	"retry" jsonb,
	"timeout_ms" integer,
	"tags" jsonb NOT NULL,
	"actor" text NOT NULL,
	"requested_by" text,
	"plan" jsonb
);
--> statement-breakpoint
CREATE TABLE "flowerpower_queue"."job_tags" (
	"tag" text,
	"job_id" uuid,
	CONSTRAINT "job_tags_pkey" PRIMARY KEY("tag","job_id")
);
--> statement-breakpoint
CREATE TABLE "flowerpower_queue"."jobs" (
	"id" uuid PRIMARY KEY,
	"project" text NOT NULL,
	"pipeline" text NOT NULL,
	"queue" text NOT NULL,
	"state" "flowerpower_queue"."job_state" NOT NULL,
	"priority" smallint NOT NULL,
	"attempt" integer DEFAULT 0 NOT NULL,
	"life" integer DEFAULT 1 NOT NULL,
	"failures" integer DEFAULT 0 NOT NULL,
	"losses" integer DEFAULT 0 NOT NULL,
	"max_attempts" integer NOT NULL,
	"max_losses" integer NOT NULL,
	"on_worker_lost" text NOT NULL,
	"last_seq" integer NOT NULL,
	"source_seq" integer DEFAULT 0 NOT NULL,
	"run_token" uuid,
	"worker_id" uuid,
	"nodes_done" integer DEFAULT 0 NOT NULL,
	"nodes_total" integer,
	"created_at" timestamp(3) with time zone NOT NULL,
	"run_at" timestamp(3) with time zone NOT NULL,
	"expires_at" timestamp(3) with time zone,
	"ticketed_at" timestamp(3) with time zone,
	"started_at" timestamp(3) with time zone,
	"finished_at" timestamp(3) with time zone,
	"cancel_requested_at" timestamp(3) with time zone,
	"error_kind" text,
	CONSTRAINT "jobs_priority" CHECK ("priority" between 0 and 100),
	CONSTRAINT "jobs_counters" CHECK ("attempt" >= 0 and "life" >= 1 and "failures" >= 0 and "losses" >= 0),
	CONSTRAINT "jobs_limits" CHECK ("max_attempts" >= 1 and "max_losses" >= 1),
	CONSTRAINT "jobs_on_worker_lost" CHECK ("on_worker_lost" in ('retry', 'fail')),
	CONSTRAINT "jobs_error_kind" CHECK ("error_kind" in ('PIPELINE', 'TIMEOUT', 'WORKER_LOST', 'CANCELLED', 'INVALID')),
	CONSTRAINT "jobs_finished" CHECK (("finished_at" is not null) = ("state" in ('succeeded', 'failed', 'cancelled', 'expired'))),
	CONSTRAINT "jobs_running" CHECK (("state" = 'running') = ("run_token" is not null)),
	CONSTRAINT "jobs_worker" CHECK ("state" <> 'running' or ("worker_id" is not null and "attempt" > 0)),
	CONSTRAINT "jobs_ticketed" CHECK ("ticketed_at" is null or "state" in ('queued', 'running')),
	CONSTRAINT "jobs_nodes" CHECK ("nodes_done" >= 0 and ("nodes_total" is null or "nodes_total" >= "nodes_done"))
);
--> statement-breakpoint
CREATE TABLE "flowerpower_queue"."node_runs" (
	"job_id" uuid,
	"attempt" integer,
	"node" text,
	"branch" text DEFAULT '',
	"id" uuid DEFAULT gen_random_uuid() NOT NULL UNIQUE,
	"state" text NOT NULL,
	"started_at" timestamp(3) with time zone,
	"ended_at" timestamp(3) with time zone,
	"duration_ms" double precision,
	"cpu_ms" double precision,
	"summary" jsonb,
	"error" jsonb,
	"inputs" jsonb,
	"branches" integer,
	CONSTRAINT "node_runs_pkey" PRIMARY KEY("job_id","attempt","node","branch"),
	CONSTRAINT "node_runs_state" CHECK ("state" in ('running', 'succeeded', 'failed', 'reused', 'stopped'))
);
--> statement-breakpoint
CREATE TABLE "flowerpower_queue"."pipelines" (
	"project" text,
	"name" text,
	"status" text NOT NULL,
	"code_hash" text,
	"description" jsonb NOT NULL,
	"last_good" jsonb,
	"published_at" timestamp(3) with time zone NOT NULL,
	CONSTRAINT "pipelines_pkey" PRIMARY KEY("project","name"),
	CONSTRAINT "pipelines_status" CHECK ("status" in ('ok', 'broken', 'unconfigured'))
);
--> statement-breakpoint
CREATE TABLE "flowerpower_queue"."projects" (
	"name" text PRIMARY KEY,
	"id" uuid NOT NULL UNIQUE,
	"description" jsonb NOT NULL,
	"environment" jsonb NOT NULL,
	"published_at" timestamp(3) with time zone NOT NULL,
	"published_by" uuid
);
--> statement-breakpoint
CREATE TABLE "flowerpower_queue"."queues" (
	"name" text PRIMARY KEY,
	"created_at" timestamp(3) with time zone NOT NULL,
	"paused_at" timestamp(3) with time zone
);
--> statement-breakpoint
CREATE TABLE "flowerpower_queue"."variants" (
	"project" text,
	"pipeline" text,
	"code_hash" text,
	"config_hash" text,
	"config" jsonb NOT NULL,
	"asked_at" timestamp(3) with time zone NOT NULL,
	"answered_at" timestamp(3) with time zone,
	"description" jsonb,
	CONSTRAINT "variants_pkey" PRIMARY KEY("project","pipeline","code_hash","config_hash")
);
--> statement-breakpoint
CREATE TABLE "flowerpower_queue"."workers" (
	"id" uuid PRIMARY KEY,
	"lock_number" integer UNIQUE GENERATED ALWAYS AS IDENTITY (sequence name "flowerpower_queue"."workers_lock_number_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"pool_id" text,
	"host" text NOT NULL,
	"pid" integer NOT NULL,
	"process" text NOT NULL,
	"version" text NOT NULL,
	"slots" integer NOT NULL,
	"projects" jsonb NOT NULL,
	"state" text NOT NULL,
	"started_at" timestamp(3) with time zone NOT NULL,
	"heartbeat_at" timestamp(3) with time zone NOT NULL,
	"ended_at" timestamp(3) with time zone,
	CONSTRAINT "workers_state" CHECK ("state" in ('running', 'draining', 'stopped', 'dead')),
	CONSTRAINT "workers_ended" CHECK (("ended_at" is not null) = ("state" in ('stopped', 'dead')))
);
--> statement-breakpoint
CREATE INDEX "attempts_worker" ON "flowerpower_queue"."attempts" ("worker_id");--> statement-breakpoint
CREATE INDEX "audit_target" ON "flowerpower_queue"."audit" ("target","id");--> statement-breakpoint
CREATE INDEX "events_feed" ON "flowerpower_queue"."events" ("xid","id");--> statement-breakpoint
CREATE UNIQUE INDEX "events_source_seq" ON "flowerpower_queue"."events" ("job_id","attempt","source_seq") WHERE "source_seq" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "events_terminal" ON "flowerpower_queue"."events" ("job_id","life") WHERE "type" in ('job.succeeded', 'job.failed', 'job.cancelled', 'job.expired');--> statement-breakpoint
CREATE INDEX "idempotency_keys_job" ON "flowerpower_queue"."idempotency_keys" ("job_id");--> statement-breakpoint
CREATE INDEX "job_tags_job" ON "flowerpower_queue"."job_tags" ("job_id");--> statement-breakpoint
CREATE INDEX "jobs_state_id" ON "flowerpower_queue"."jobs" ("state","id");--> statement-breakpoint
CREATE INDEX "jobs_pipeline_id" ON "flowerpower_queue"."jobs" ("project","pipeline","id");--> statement-breakpoint
CREATE INDEX "jobs_pipeline_state_id" ON "flowerpower_queue"."jobs" ("project","pipeline","state","id");--> statement-breakpoint
CREATE INDEX "jobs_queue_id" ON "flowerpower_queue"."jobs" ("queue","id");--> statement-breakpoint
CREATE INDEX "jobs_finished_at" ON "flowerpower_queue"."jobs" ("finished_at","id") WHERE "finished_at" is not null;--> statement-breakpoint
CREATE INDEX "jobs_run_at" ON "flowerpower_queue"."jobs" ("run_at","id");--> statement-breakpoint
CREATE INDEX "jobs_due" ON "flowerpower_queue"."jobs" ("run_at") WHERE "state" in ('scheduled', 'retryable');--> statement-breakpoint
CREATE INDEX "jobs_held" ON "flowerpower_queue"."jobs" ("run_at") WHERE "state" = 'queued' and "ticketed_at" is null;--> statement-breakpoint
CREATE INDEX "jobs_ticketed_at" ON "flowerpower_queue"."jobs" ("ticketed_at") WHERE "state" = 'queued' and "ticketed_at" is not null;--> statement-breakpoint
CREATE INDEX "jobs_expiring" ON "flowerpower_queue"."jobs" ("expires_at") WHERE "expires_at" is not null and "state" in ('scheduled', 'blocked', 'queued');--> statement-breakpoint
CREATE INDEX "jobs_worker_id" ON "flowerpower_queue"."jobs" ("worker_id") WHERE "state" = 'running';--> statement-breakpoint
CREATE INDEX "variants_asked" ON "flowerpower_queue"."variants" ("project","asked_at") WHERE "answered_at" is null;--> statement-breakpoint
CREATE INDEX "workers_alive" ON "flowerpower_queue"."workers" ("heartbeat_at") WHERE "ended_at" is null;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."artifacts" ADD CONSTRAINT "artifacts_job_id_attempt_attempts_job_id_attempt_fkey" FOREIGN KEY ("job_id","attempt") REFERENCES "flowerpower_queue"."attempts"("job_id","attempt") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."attempts" ADD CONSTRAINT "attempts_job_id_jobs_id_fkey" FOREIGN KEY ("job_id") REFERENCES "flowerpower_queue"."jobs"("id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."attempts" ADD CONSTRAINT "attempts_worker_id_workers_id_fkey" FOREIGN KEY ("worker_id") REFERENCES "flowerpower_queue"."workers"("id");--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."events" ADD CONSTRAINT "events_job_id_jobs_id_fkey" FOREIGN KEY ("job_id") REFERENCES "flowerpower_queue"."jobs"("id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."job_requests" ADD CONSTRAINT "job_requests_job_id_jobs_id_fkey" FOREIGN KEY ("job_id") REFERENCES "flowerpower_queue"."jobs"("id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."job_tags" ADD CONSTRAINT "job_tags_job_id_jobs_id_fkey" FOREIGN KEY ("job_id") REFERENCES "flowerpower_queue"."jobs"("id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."jobs" ADD CONSTRAINT "jobs_queue_queues_name_fkey" FOREIGN KEY ("queue") REFERENCES "flowerpower_queue"."queues"("name");--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."jobs" ADD CONSTRAINT "jobs_worker_id_workers_id_fkey" FOREIGN KEY ("worker_id") REFERENCES "flowerpower_queue"."workers"("id");--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."node_runs" ADD CONSTRAINT "node_runs_job_id_attempt_attempts_job_id_attempt_fkey" FOREIGN KEY ("job_id","attempt") REFERENCES "flowerpower_queue"."attempts"("job_id","attempt") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."pipelines" ADD CONSTRAINT "pipelines_project_projects_name_fkey" FOREIGN KEY ("project") REFERENCES "flowerpower_queue"."projects"("name") ON DELETE CASCADE;