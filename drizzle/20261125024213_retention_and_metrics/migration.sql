CREATE TABLE "flowerpower_queue"."metrics" (
	"resolution" text,
	"at" timestamp(3) with time zone,
	"project" text,
	"pipeline" text,
	"queue" text,
	"state" "flowerpower_queue"."job_state",
	"measure" text,
	"slot" smallint,
	"count" bigint NOT NULL,
	CONSTRAINT "metrics_pkey" PRIMARY KEY("resolution","at","project","pipeline","queue","state","measure","slot"),
	CONSTRAINT "metrics_resolution" CHECK ("resolution" in ('minute', 'hour', 'day')),
	CONSTRAINT "metrics_measure" CHECK ("measure" in ('ended', 'wait', 'run'))
);
--> statement-breakpoint
CREATE TABLE "flowerpower_queue"."metrics_reached" (
	"singleton" boolean PRIMARY KEY DEFAULT true,
	"xid" xid8 NOT NULL,
	"id" bigint NOT NULL,
	CONSTRAINT "metrics_reached_singleton" CHECK ("singleton")
);
--> statement-breakpoint
CREATE INDEX "artifacts_kept" ON "flowerpower_queue"."artifacts" ("store","bytes") WHERE "uri" is not null and "removed_at" is null;--> statement-breakpoint
CREATE INDEX "events_ended" ON "flowerpower_queue"."events" ("xid","id") WHERE "type" in ('job.succeeded', 'job.failed', 'job.cancelled', 'job.expired');