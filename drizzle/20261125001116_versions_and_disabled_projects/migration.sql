CREATE TABLE "flowerpower_queue"."node_sources" (
	"hash" text PRIMARY KEY,
	"source" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "flowerpower_queue"."pipeline_versions" (
	"project" text,
	"pipeline" text,
	"number" integer,
	"id" uuid NOT NULL UNIQUE,
	"code_hash" text NOT NULL,
	"git" jsonb,
	"description" jsonb NOT NULL,
	"published_at" timestamp(3) with time zone NOT NULL,
	"last_seen_at" timestamp(3) with time zone NOT NULL,
	CONSTRAINT "pipeline_versions_pkey" PRIMARY KEY("project","pipeline","number")
);
--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."projects" ADD COLUMN "disabled_at" timestamp(3) with time zone;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."projects" ADD COLUMN "disabled_reason" text;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."projects" ADD COLUMN "reload_asked_at" timestamp(3) with time zone;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."projects" ADD COLUMN "reloaded_at" timestamp(3) with time zone;--> statement-breakpoint
CREATE INDEX "pipeline_versions_code" ON "flowerpower_queue"."pipeline_versions" ("project","pipeline","code_hash");