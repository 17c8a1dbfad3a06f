/**
 * The tables, as migrations that are only ever added to. Types and statements are such that PostgreSQL takes them with few changes.
 *
 * Numbers of a series stand in chunks: a short row in `chunks` with what a chunk comes to, and a long one in `chunk_values` with the values as a JSON
 * array, so that a plot reads only the short ones, and any SQLite tool reads single values through the view `points`.
 *
 * @module
 */

/** Brings a database from the version of its place to the next one. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    run TEXT NOT NULL,
    name TEXT NOT NULL,
    project TEXT NOT NULL,
    path TEXT NOT NULL,
    source TEXT NOT NULL,
    trainer TEXT NOT NULL,
    status TEXT NOT NULL,
    preset TEXT,
    iterations INTEGER NOT NULL,
    last_iteration INTEGER,
    total_iterations INTEGER,
    started_unix_seconds REAL,
    newest_unix_seconds REAL,
    seen_unix_seconds REAL NOT NULL,
    config TEXT NOT NULL,
    checkpoints TEXT NOT NULL,
    attempts TEXT NOT NULL,
    coverage TEXT NOT NULL,
    epoch INTEGER NOT NULL
  );
  CREATE TABLE claims (key TEXT PRIMARY KEY, epoch INTEGER NOT NULL, run TEXT NOT NULL, name TEXT NOT NULL, path TEXT NOT NULL, source TEXT NOT NULL);
  CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES runs(id),
    name TEXT NOT NULL,
    original TEXT NOT NULL,
    unit TEXT NOT NULL,
    UNIQUE (run_id, name)
  );
  CREATE TABLE chunks (
    series_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    first_iteration INTEGER NOT NULL,
    last_iteration INTEGER NOT NULL,
    count INTEGER NOT NULL,
    finite INTEGER NOT NULL,
    minimum REAL,
    maximum REAL,
    total REAL NOT NULL,
    PRIMARY KEY (series_id, number)
  ) WITHOUT ROWID;
  CREATE TABLE chunk_values (
    series_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    stride INTEGER,
    iterations TEXT,
    vals TEXT NOT NULL,
    PRIMARY KEY (series_id, number)
  );
  CREATE TABLE samples (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES runs(id),
    iteration INTEGER NOT NULL,
    prompt TEXT NOT NULL,
    response TEXT NOT NULL,
    reward REAL
  );
  CREATE INDEX samples_of_run ON samples (run_id, iteration);
  CREATE TABLE alerts (
    run_id INTEGER NOT NULL REFERENCES runs(id),
    number INTEGER NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    severity TEXT NOT NULL,
    state TEXT NOT NULL,
    iteration INTEGER NOT NULL,
    reason TEXT NOT NULL,
    alert TEXT NOT NULL,
    PRIMARY KEY (run_id, number)
  );
  CREATE TABLE tags (key TEXT NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (key, tag));
  CREATE TABLE notes (id INTEGER PRIMARY KEY, key TEXT NOT NULL, unix_seconds REAL NOT NULL, text TEXT NOT NULL);
  CREATE VIEW points AS
    SELECT runs.key AS run_key, runs.run AS run, series.name AS series, chunks.attempt AS attempt,
      CASE WHEN chunk_values.iterations IS NULL THEN chunks.first_iteration + one.key * chunk_values.stride
        ELSE json_extract(chunk_values.iterations, '$[' || one.key || ']') END AS iteration,
      one.value AS value
    FROM runs JOIN series ON series.run_id = runs.id JOIN chunks ON chunks.series_id = series.id
      JOIN chunk_values ON chunk_values.series_id = chunks.series_id AND chunk_values.number = chunks.number,
      json_each(chunk_values.vals) AS one;
  `,
  `
  CREATE TABLE resume_points (place TEXT PRIMARY KEY, state BLOB NOT NULL, unix_seconds REAL NOT NULL);
  CREATE TABLE resume_marks (
    place TEXT NOT NULL,
    key TEXT NOT NULL,
    series TEXT NOT NULL,
    last_sample INTEGER NOT NULL,
    alerts INTEGER NOT NULL,
    PRIMARY KEY (place, key)
  );
  CREATE INDEX resume_marks_of_run ON resume_marks (key);
  ALTER TABLE runs ADD COLUMN process TEXT;
  `,
  `
  CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES runs(id),
    unix_seconds REAL,
    iteration INTEGER NOT NULL,
    phase TEXT NOT NULL,
    metadata TEXT NOT NULL
  );
  CREATE INDEX events_of_run ON events (run_id, id);
  CREATE VIEW artifacts AS
    SELECT runs.key AS run_key, runs.run AS run, events.iteration AS iteration, 'checkpoint' AS kind, json_extract(events.metadata, '$.path') AS path
    FROM events JOIN runs ON runs.id = events.run_id
    WHERE events.phase = 'checkpoint_saved' AND json_extract(events.metadata, '$.path') IS NOT NULL;
  ALTER TABLE resume_marks ADD COLUMN last_event INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE runs ADD COLUMN missing_lines INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE runs ADD COLUMN logged_iterations INTEGER;
  ALTER TABLE runs ADD COLUMN followed INTEGER NOT NULL DEFAULT 1;
  CREATE INDEX runs_that_run ON runs (seen_unix_seconds) WHERE status = 'running' AND process IS NOT NULL;
  `,
]
