import { describe, expect, it } from "vitest";
import { splitFix } from "./fix-text.ts";

describe("what to do", () => {
  it.each([
    ["Load it: sudo modprobe tun", "Load it:", "sudo modprobe tun"],
    ["Guests get IPv4 only; load it with: sudo modprobe ip6table_nat", undefined, "sudo modprobe ip6table_nat"],
    ["Off and on: higgsnode off && higgsnode on", "Off and on:", "higgsnode off && higgsnode on"],
    ["Загрузите модуль: sudo modprobe tun", "Загрузите модуль:", "sudo modprobe tun"],
    ["First: read. Then: sudo ip link del higgs0", "First: read. Then:", "sudo ip link del higgs0"],
  ])("%s", (text, words, command) => {
    expect(splitFix(text)).toEqual({ words: words ?? text.slice(0, text.lastIndexOf(": ") + 1), command });
  });

  it.each([
    "Restart HiggsNode.",
    "Two ways: one and another",
    "Name one with: higgsnode settings set a=b, or choose another",
    "Name one: higgsnode settings set egressTargets=…",
  ])("has no command to copy: %s", (text) => {
    expect(splitFix(text)).toEqual({ words: text, command: undefined });
  });
});
