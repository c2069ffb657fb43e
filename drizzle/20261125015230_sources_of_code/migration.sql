CREATE TABLE "flowerpower_queue"."code_sources" (
	"project" text,
	"pipeline" text,
	"code_hash" text,
	"hash" text,
	CONSTRAINT "code_sources_pkey" PRIMARY KEY("project","pipeline","code_hash","hash")
);
--> statement-breakpoint
CREATE INDEX "attempts_code" ON "flowerpower_queue"."attempts" ("code_hash") WHERE "code_hash" is not null;--> statement-breakpoint
CREATE INDEX "code_sources_hash" ON "flowerpower_queue"."code_sources" ("hash");;--> statement-breakpoint
INSERT INTO "flowerpower_queue"."code_sources" ("project", "pipeline", "code_hash", "hash")
SELECT DISTINCT d."project", d."pipeline", d."code_hash", s."hash"
FROM (
	SELECT "project", "pipeline", "code_hash", "description" FROM "flowerpower_queue"."pipeline_versions"
	UNION ALL
	SELECT "project", "pipeline", "code_hash", "description" FROM "flowerpower_queue"."variants" WHERE "answered_at" IS NOT NULL
) d
CROSS JOIN LATERAL jsonb_path_query(d."description", 'lax $.graph.nodes[*].codeHash') AS n ("hash")
JOIN "flowerpower_queue"."node_sources" s ON s."hash" = n."hash" #>> '{}';