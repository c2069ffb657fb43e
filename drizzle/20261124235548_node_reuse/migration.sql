ALTER TABLE "flowerpower_queue"."node_runs" ADD COLUMN "reason" jsonb;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."node_runs" ADD COLUMN "stored" boolean;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."node_runs" ADD COLUMN "code_version" text;