import { createContextCache } from "@pothos/core";
import type { Context } from "./context.ts";

export interface LivingWorker {
  id: string;
  projects: string[];
  draining: boolean;
  labels: string[];
}

/** The workers that live, and what they serve. Read once per operation, however many objects ask. */
export const livingWorkers = createContextCache(
  async ({ db }: Context): Promise<LivingWorker[]> =>
    await db.sql<LivingWorker[]>`
      select id, array(select p ->> 'name' from jsonb_array_elements(projects) p) as projects,
        state = 'draining' or wanted is not null as draining, labels
      from workers where ended_at is null order by id`,
);
