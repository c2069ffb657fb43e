-- The only clock that our SQL reads. A session of a test may move it: set flowerpower_queue.clock_offset = '2 hours'.
create function flowerpower_queue.queue_now() returns timestamptz
language sql stable parallel safe as $$
  select date_trunc('milliseconds', statement_timestamp())
    + coalesce(nullif(current_setting('flowerpower_queue.clock_offset', true), '')::interval, interval '0')
$$;
--> statement-breakpoint
-- The transaction id below which no event can still appear: the smallest one in progress in the snapshot of the statement
-- that calls. STABLE, so that it reads that very snapshot and not a later one. Transactions of other databases are left out:
-- they cannot write here, and a long one must not hold up our feed. pg_stat_activity shows what a role may see; what it
-- hides is waited for.
create function flowerpower_queue.feed_horizon() returns xid8
language sql stable as $$
  select coalesce(min(x), pg_snapshot_xmax(pg_current_snapshot()))
  from pg_snapshot_xip(pg_current_snapshot()) as x
  where not exists (
    select 1
    from pg_stat_activity a
    where a.backend_xid = x::xid
      and a.datid <> (select d.oid from pg_database d where d.datname = current_database())
  )
$$;
--> statement-breakpoint
insert into flowerpower_queue.queues (name, created_at) values ('default', flowerpower_queue.queue_now());
--> statement-breakpoint
-- Rows that nothing may change: the log and the audit trail. Both may be pruned.
create function flowerpower_queue.refuse_update() returns trigger
language plpgsql as $$
begin
  raise exception 'rows of % are never changed', tg_table_name using errcode = 'restrict_violation';
end
$$;
--> statement-breakpoint
create trigger audit_append_only before update on flowerpower_queue.audit
  for each row execute function flowerpower_queue.refuse_update();
