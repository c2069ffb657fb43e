import "./artifact.ts";
import "./artifact-list.ts";
import "./attempt.ts";
import "./attempt-list.ts";
import "./cancel-job.ts";
import "./enqueue-job.ts";
import "./errors.ts";
import "./event-feed.ts";
import "./job-changes.ts";
import "./job-events.ts";
import "./job-list.ts";
import "./job-log.ts";
import "./job-ref.ts";
import "./node-run.ts";
import "./node-run-list.ts";
import "./pipeline.ts";
import "./pipeline-variant.ts";
import "./project.ts";
import "./queue.ts";
import "./result.ts";
import "./run-events.ts";
import "./scalars.ts";
import "./server.ts";
import "./worker.ts";
import { builder } from "./builder.ts";

/** The API. Making it does no I/O and reads no configuration. */
export const schema = builder.toSchema();
