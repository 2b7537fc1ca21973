/** Imported first: the page's content security policy forbids compiling code, which zod otherwise tries. */
import { z } from "zod";

z.config({ jitless: true });
