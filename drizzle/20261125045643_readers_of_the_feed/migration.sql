CREATE TABLE "flowerpower_queue"."feed_readers" (
	"name" text PRIMARY KEY,
	"xid" xid8 NOT NULL,
	"id" bigint NOT NULL
);
--> statement-breakpoint
INSERT INTO "flowerpower_queue"."feed_readers" ("name", "xid", "id")
SELECT 'metrics', "xid", "id" FROM "flowerpower_queue"."metrics_reached";--> statement-breakpoint
DROP TABLE "flowerpower_queue"."metrics_reached";--> statement-breakpoint
DROP INDEX "flowerpower_queue"."events_ended";--> statement-breakpoint
CREATE INDEX "events_followed" ON "flowerpower_queue"."events" ("xid","id") WHERE "type" in ('job.succeeded', 'job.failed', 'job.cancelled', 'job.expired', 'job.retry_planned', 'job.rescued');