/** Prometheus metrics of one server: a view of `Counters` and of gauges, read at scrape time. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { type Counters, DROP_REASONS, PROBE_OUTCOMES, REFUSAL_REASONS } from "./counters.ts";

export interface Gauges {
  readonly nodes: number;
  readonly nodesInGrace: number;
  readonly guests: number;
  readonly sessions: number;
  readonly halfOpen: number;
  readonly queuedBytes: number;
  readonly trackedSources: number;
}

/** @param gauges called at scrape time */
export function createMetrics(counters: Counters, gauges: () => Gauges): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];

  const total = (name: string, help: string, read: () => number) =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  const byLabel = <K extends string>(name: string, help: string, keys: readonly K[], read: (key: K) => number) =>
    new Counter({
      name,
      help,
      labelNames: ["reason"],
      registers,
      collect() {
        this.reset();
        for (const key of keys) this.inc({ reason: key }, read(key));
      },
    });
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });

  total("higgs_relay_to_nodes_datagrams_total", "Datagrams passed on to nodes.", () => counters.toNodesDatagrams);
  total("higgs_relay_to_nodes_bytes_total", "Payload bytes passed on to nodes.", () => counters.toNodesBytes);
  total("higgs_relay_to_guests_datagrams_total", "Datagrams passed on to guests.", () => counters.toGuestsDatagrams);
  total("higgs_relay_to_guests_bytes_total", "Payload bytes passed on to guests.", () => counters.toGuestsBytes);
  total("higgs_relay_registrations_total", "Nodes that authenticated.", () => counters.registrations);
  total("higgs_relay_resumptions_total", "Nodes that got their sessions back.", () => counters.resumptions);
  total("higgs_relay_stun_answers_total", "STUN binding requests answered.", () => counters.stunAnswers);
  total("higgs_relay_stun_limited_total", "STUN binding requests that came too fast.", () => counters.stunLimited);
  byLabel("higgs_relay_probes_total", "Probes nodes asked for, by outcome.", PROBE_OUTCOMES, (outcome) => {
    return counters.probes[outcome];
  });
  byLabel("higgs_relay_dropped_datagrams_total", "Datagrams given up, by reason.", DROP_REASONS, (reason) => {
    return counters.dropped[reason];
  });
  byLabel(
    "higgs_relay_refused_connections_total",
    "Connections closed by us, by reason.",
    REFUSAL_REASONS,
    (reason) => {
      return counters.refused[reason];
    },
  );
  gauge("higgs_relay_nodes", "Nodes connected.", () => gauges().nodes);
  gauge("higgs_relay_nodes_in_grace", "Nodes whose sessions wait for them.", () => gauges().nodesInGrace);
  gauge("higgs_relay_guests", "Guests connected over WebSocket.", () => gauges().guests);
  gauge("higgs_relay_sessions", "Sessions of guests that enter here.", () => gauges().sessions);
  gauge("higgs_relay_half_open_connections", "Connections before the end of their handshake.", () => gauges().halfOpen);
  gauge("higgs_relay_queued_bytes", "Bytes waiting for slow links.", () => gauges().queuedBytes);
  gauge("higgs_relay_tracked_sources", "Source networks with a rate on record.", () => gauges().trackedSources);
  return registry;
}
