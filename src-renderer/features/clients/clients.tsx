/** Who uses it? */
import { type FormEvent, useState } from "react";
import type { Client } from "../../../src-shared/model/client.ts";
import { useActions, usePanel, useTexts } from "../../components/context.ts";
import { useNow } from "../../components/use-now.ts";
import { clientRow } from "./client-view.ts";

export function Clients() {
  const texts = useTexts();
  const clients = usePanel((state) => state.clients?.value);
  const lost = usePanel((state) => state.connection === "lost");
  if (clients === undefined) return null;
  return (
    <section className={`card${lost ? " stale" : ""}`} aria-labelledby="clients-title">
      <div className="card-head">
        <h2 id="clients-title">{texts.clients.title}</h2>
        <AddClient />
      </div>
      {clients.length === 0 ? <p className="empty">{texts.clients.empty}</p> : <ClientTable clients={clients} />}
    </section>
  );
}

function AddClient() {
  const texts = useTexts();
  const actions = useActions();
  const adding = usePanel((state) => state.adding);
  const connected = usePanel((state) => state.connection === "open");
  const [name, setName] = useState("");
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (name.trim() !== "" && (await actions.addClient(name.trim()))) setName("");
  }
  return (
    <form className="add" onSubmit={(event) => void submit(event)}>
      <input
        aria-label={texts.clients.addLabel}
        placeholder={texts.clients.addPlaceholder}
        value={name}
        maxLength={48}
        required
        autoComplete="off"
        onChange={(event) => setName(event.target.value)}
      />
      <button type="submit" disabled={adding || !connected}>
        {adding ? texts.clients.adding : texts.clients.add}
      </button>
    </form>
  );
}

function ClientTable({ clients }: { clients: readonly Client[] }) {
  const texts = useTexts();
  const nowMs = useNow();
  const t = texts.clients;
  return (
    <div className="table-frame">
      <table>
        <thead>
          <tr>
            <th scope="col">{t.name}</th>
            <th scope="col">{t.state}</th>
            <th scope="col">{t.lastSeen}</th>
            <th scope="col" className="number">
              {t.received}
            </th>
            <th scope="col" className="number">
              {t.sent}
            </th>
            <td />
          </tr>
        </thead>
        <tbody>
          {clients.map((client) => (
            <Row key={client.id} client={client} nowMs={nowMs} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ client, nowMs }: { client: Client; nowMs: number }) {
  const texts = useTexts();
  const actions = useActions();
  const pending = usePanel((state) => state.pending.has(client.id) || state.connection !== "open");
  const row = clientRow(client, nowMs, texts);
  const { pause, resume, pauseNamed, resumeNamed } = texts.clients;
  return (
    <tr>
      <th scope="row">
        {row.name}
        <small>{row.addresses}</small>
      </th>
      <td>
        <span className={`badge badge-${row.state}`}>{row.stateText}</span>
      </td>
      <td title={row.lastSeenAt === undefined ? undefined : new Date(row.lastSeenAt).toLocaleString()}>
        {row.lastSeen}
      </td>
      <td className="number">{row.received}</td>
      <td className="number">{row.sent}</td>
      <td className="number">
        <button
          type="button"
          className="quiet"
          disabled={pending}
          aria-label={texts.clients.showNamed(client.name)}
          onClick={() => void actions.showConfig(client)}
        >
          {texts.clients.show}
        </button>
        <button
          type="button"
          className="quiet next"
          disabled={pending}
          aria-label={client.paused ? resumeNamed(client.name) : pauseNamed(client.name)}
          onClick={() => void actions.pause(client, !client.paused)}
        >
          {client.paused ? resume : pause}
        </button>
      </td>
    </tr>
  );
}
