/** What a browser says of a page that is not as it should be: errors, warnings, refusals of the policy. */
import type { Page } from "playwright";

/** Collects from now on, into the list that is returned. */
export function listenForComplaints(page: Page): string[] {
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  return complaints;
}
