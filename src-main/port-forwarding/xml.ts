/**
 * The little XML that UPnP needs, as a tree of elements with text. Routers are sloppy, so the parser is lenient about
 * syntax; it is strict about size, and knows no document type: entities cannot be declared, so none can expand.
 */
import sax from "sax";

/** Real descriptions have some 100 elements, 8 deep. */
const MAX_ELEMENTS = 4_000;
const MAX_DEPTH = 32;
/** Syntax errors that are passed over, such as an ampersand that should have been escaped. */
const MAX_COMPLAINTS = 50;

export interface XmlElement {
  /** Without its namespace prefix. */
  readonly name: string;
  readonly children: XmlElement[];
  text: string;
}

class RefusedXml extends Error {}

/** The root element; undefined for what is no XML, has a document type, or is beyond the caps. */
export function parseXml(text: string): XmlElement | undefined {
  const parser = new sax.SAXParser(true, { trim: true });
  const top: XmlElement = { name: "", children: [], text: "" };
  const open: XmlElement[] = [top];
  let elements = 0;
  let complaints = 0;
  parser.onerror = () => {
    if (++complaints > MAX_COMPLAINTS) throw new RefusedXml("not XML");
    parser.resume();
  };
  parser.ondoctype = () => {
    throw new RefusedXml("a document type");
  };
  parser.onopentagstart = ({ name }) => {
    if (++elements > MAX_ELEMENTS || open.length > MAX_DEPTH) throw new RefusedXml("too large");
    const element = { name: name.slice(name.indexOf(":") + 1), children: [], text: "" };
    open.at(-1)?.children.push(element);
    open.push(element);
  };
  parser.onclosetag = () => {
    if (open.length > 1) open.pop();
  };
  const addText = (part: string) => {
    const element = open.at(-1);
    if (element !== undefined) element.text += part;
  };
  parser.ontext = addText;
  parser.oncdata = addText;
  try {
    parser.write(text).close();
  } catch {
    // Ours, or the parser's own about something it cannot go on after: no XML either way.
    return undefined;
  }
  return top.children.length === 1 ? top.children[0] : undefined;
}

/** The first child of that name, letter case aside: some routers are careless with it. */
export function child(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((candidate) => isNamed(candidate, name));
}

export function textOf(element: XmlElement, name: string): string | undefined {
  return child(element, name)?.text.trim();
}

export function isNamed(element: XmlElement, name: string): boolean {
  return element.name.toLowerCase() === name.toLowerCase();
}

/** Every element below, the deepest last in each branch, the element itself left out. */
export function* descendants(element: XmlElement): Generator<XmlElement> {
  for (const each of element.children) {
    yield each;
    yield* descendants(each);
  }
}

/** For element content. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
