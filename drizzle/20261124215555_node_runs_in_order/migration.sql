ALTER TABLE "flowerpower_queue"."node_runs" ADD COLUMN "first_seq" integer;--> statement-breakpoint
-- Rows of before get the order in which they were shown until now.
UPDATE "flowerpower_queue"."node_runs" n SET "first_seq" = o.place FROM (
  SELECT id, row_number() OVER (PARTITION BY job_id, attempt ORDER BY started_at, node, branch) AS place
  FROM "flowerpower_queue"."node_runs"
) o WHERE o.id = n.id;--> statement-breakpoint
ALTER TABLE "flowerpower_queue"."node_runs" ALTER COLUMN "first_seq" SET NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX "node_runs_first_seq" ON "flowerpower_queue"."node_runs" ("job_id","attempt","first_seq");
