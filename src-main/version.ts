/** The version of this build, written in by the bundler; run from source it is the one below. */

/** Replaced by scripts/build.mjs with package.json's version. */
declare const HIGGS_VERSION: string | undefined;

export const VERSION: string = typeof HIGGS_VERSION === "string" ? HIGGS_VERSION : "0.0.0-source";
