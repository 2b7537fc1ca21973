/** The node's own words, but for codes of the system and for advice that a panel can give better than a command line. */
import { localiserOf } from "./localiser.ts";

export const inEnglish = localiserOf({
  sentences: [
    ["Find the rule: higgsnode diagnose trace CLIENT ADDRESS:PORT", "Follow the packet below."],
    [
      "No address of egressTargets offers plain HTTP (port 80 or 8080).",
      "None of the places that are tried can be used to measure the speed.",
    ],
    ["{text} Find the rule: higgsnode diagnose trace CLIENT ADDRESS:PORT", "{text} Follow the packet below."],
  ],
  general: {},
  value: (_, english) => english,
  codes: {
    ENETUNREACH: "no way there",
    EHOSTUNREACH: "it cannot be reached",
    ECONNREFUSED: "nobody listens there",
    ECONNRESET: "the connection was cut",
    ETIMEDOUT: "no answer in time",
    ETIMEOUT: "no answer in time",
    ENOTFOUND: "no such name",
    EAI_AGAIN: "the name service does not answer",
    ESERVFAIL: "the name service failed",
    EREFUSED: "the name service refused",
    EACCES: "not permitted",
    EPERM: "not permitted",
    EADDRINUSE: "the address is in use",
    ENOENT: "it is not there",
    ENOSPC: "the disk is full",
  },
});
