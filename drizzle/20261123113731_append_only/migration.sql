-- The log is append-only: only a restore into another cluster gives its rows another transaction (see src/db/migrate.ts).
create trigger events_append_only
  before update of job_id, seq, id, life, attempt, type, version, node, branch, recorded_at, occurred_at, source_seq, data
  on flowerpower_queue.events
  for each row execute function flowerpower_queue.refuse_update();
