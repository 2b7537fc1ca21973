/**
 * What several instances share, behind one interface: ports, who is where, and datagrams on their way
 * between the instance a guest reaches (its edge) and the one its node is connected to (its home).
 *
 *   guest ──UDP──▶ edge instance ──cluster──▶ home instance ──WebSocket──▶ node
 *
 * An edge names its sessions by a number of its own; a home answers to (instance, number). Neither needs to
 * know the other's tables, so a node that appears on another instance keeps its guests.
 */
import type { Result } from "../../src-shared/result.ts";

export interface ClusterHandlers {
  /** A node is connected to another instance; its guests may come in here. */
  onNodeElsewhere(node: string, port: number): void;
  /** No instance has the node any more. */
  onNodeGone(node: string): void;
  /** Another instance announced a node that was announced here. */
  onNodeTaken(node: string): void;
  /** A guest's datagram, from another instance, for a node that is here. */
  onDatagramForNode(node: string, instance: string, edgeSession: number, payload: Uint8Array): void;
  onEdgeSessionClosed(node: string, instance: string, edgeSession: number): void;
  /** A node's datagram, from another instance, for a guest that is here. */
  onDatagramForGuest(edgeSession: number, payload: Uint8Array): void;
  /** Sources that another instance has seen proven. */
  onProofs(hashes: readonly Buffer[]): void;
}

export interface Cluster {
  readonly instance: string;
  start(handlers: ClusterHandlers): Promise<void>;
  /** The UDP port of a node, the same on every instance and for good. */
  portFor(node: string): Promise<Result<number>>;
  /** The node whose port this is. */
  nodeAt(port: number): Promise<string | undefined>;
  /** The node is connected here. */
  announce(node: string, port: number): Promise<void>;
  /** The node has gone from here; ignored when another instance has announced it since. */
  withdraw(node: string): Promise<void>;
  sendToNode(node: string, edgeSession: number, payload: Uint8Array): void;
  closeEdgeSession(node: string, edgeSession: number): void;
  sendToGuest(instance: string, edgeSession: number, payload: Uint8Array): void;
  /** The key of all instances for hashes of proven sources, known once started; undefined where there is one instance. */
  readonly proofKey: Buffer | undefined;
  shareProofs(hashes: readonly Buffer[]): void;
  /** Whether the instance can do its work: false while the cluster cannot be reached. */
  readonly healthy: boolean;
  close(): Promise<void>;
}
