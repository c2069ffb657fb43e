ALTER TABLE "flowerpower_queue"."jobs" ADD COLUMN "turn" bigint GENERATED ALWAYS AS ((extract(epoch from run_at at time zone 'UTC') * 1000)::bigint - priority::bigint * 30000) STORED;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."jobs" ADD COLUMN "concurrency_key" text;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."jobs" ADD COLUMN "concurrency_limit" integer;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."queues" ADD COLUMN "paused_until" timestamp(3) with time zone;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."queues" ADD COLUMN "pause_reason" text;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."queues" ADD COLUMN "concurrency_limit" integer;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."queues" ADD COLUMN "rate_limit" integer;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."queues" ADD COLUMN "rate_period_ms" integer;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."queues" ADD COLUMN "rate_tokens" double precision;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."queues" ADD COLUMN "rate_filled_at" timestamp(3) with time zone;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."queues" ADD COLUMN "backlog_limit" integer;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."queues" ADD COLUMN "tickets_since" timestamp(3) with time zone;--> statement-breakpoint
DROP INDEX "flowerpower_queue"."jobs_held";--> statement-breakpoint
CREATE INDEX "jobs_held" ON "flowerpower_queue"."jobs" ("queue","turn") WHERE "state" = 'queued' and "ticketed_at" is null;--> statement-breakpoint
CREATE INDEX "jobs_queue_state_id" ON "flowerpower_queue"."jobs" ("queue","state","id");--> statement-breakpoint
CREATE INDEX "jobs_held_keyed" ON "flowerpower_queue"."jobs" ("queue") WHERE "state" = 'queued' and "ticketed_at" is null and "concurrency_key" is not null;--> statement-breakpoint
CREATE INDEX "jobs_admitted" ON "flowerpower_queue"."jobs" ("queue","ticketed_at") WHERE "ticketed_at" is not null;--> statement-breakpoint
CREATE INDEX "jobs_admitted_keyed" ON "flowerpower_queue"."jobs" ("concurrency_key") WHERE "ticketed_at" is not null and "concurrency_key" is not null;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."jobs" ADD CONSTRAINT "jobs_concurrency" CHECK (("concurrency_key" is null) = ("concurrency_limit" is null) and "concurrency_limit" > 0);--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."queues" ADD CONSTRAINT "queues_paused" CHECK ("paused_at" is not null or ("paused_until" is null and "pause_reason" is null));--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."queues" ADD CONSTRAINT "queues_limits" CHECK ("concurrency_limit" > 0 and "rate_limit" > 0 and "rate_period_ms" > 0 and "backlog_limit" > 0);--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."queues" ADD CONSTRAINT "queues_rate" CHECK (("rate_limit" is null) = ("rate_period_ms" is null));--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."queues" ADD CONSTRAINT "queues_rate_tokens" CHECK (("rate_tokens" is null) = ("rate_filled_at" is null));