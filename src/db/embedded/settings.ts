export interface PostgresSettings {
  port: number;
  /** False for tests only: an operating system that crashes may lose or damage the data. */
  fsync: boolean;
}

/** Given on the command line at each start, so that they belong to our release and not to the folder. */
export function settingsArguments({ port, fsync }: PostgresSettings): string[] {
  const settings: Record<string, string | number> = {
    port,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    max_connections: 100,
    shared_buffers: "128MB",
    max_wal_size: "512MB",
    // Nobody replicates from here: less WAL, and one process less.
    wal_level: "minimal",
    max_wal_senders: 0,
    max_logical_replication_workers: 0,
    // Compiling pays for queries of seconds. Ours take milliseconds.
    jit: "off",
    timezone: "UTC",
    log_timezone: "UTC",
    log_line_prefix: "%m [%p] ",
    log_checkpoints: "off",
    // Statements and row contents may hold inputs of jobs: they are no business of a log file.
    log_min_error_statement: "panic",
    log_error_verbosity: "terse",
    // synchronous_commit stays on even in tests: a killed Postgres must keep what it has acknowledged.
    ...(fsync ? {} : { fsync: "off", full_page_writes: "off" }),
  };
  return Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}
