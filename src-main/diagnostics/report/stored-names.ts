/** Names of clients where no node is running to tell them: a log may have one in an error. */
import { hasTable, withDatabase } from "../checks/stored-data.ts";

/** As many as there can be clients. */
const MAX_NAMES = 4_096;

/** In the order in which they were added; none where the database cannot be read. */
export function storedNames(dataDir: string): string[] {
  try {
    return withDatabase(dataDir, (view) => {
      if (view.state === "missing" || !hasTable(view.db, "clients")) return [];
      const rows = view.db.prepare("SELECT name FROM clients ORDER BY created_at, host_number LIMIT ?").all(MAX_NAMES);
      return rows.map(({ name }) => String(name));
    });
  } catch {
    return [];
  }
}
