/** A new client's configuration: QR code and file, shown once. */
import { useEffect, useMemo, useRef } from "react";
import type { ClientConfig } from "../../../src-shared/model/client.ts";
import { useActions, usePanel, useTexts } from "../../components/context.ts";
import { configFileName } from "./client-view.ts";
import { qrPath } from "./qr-path.ts";

export function ConfigDialog() {
  const config = usePanel((state) => state.config);
  return config === undefined ? null : <Shown config={config} />;
}

function Shown({ config: { client, config } }: { config: ClientConfig }) {
  const texts = useTexts();
  const actions = useActions();
  const dialog = useRef<HTMLDialogElement>(null);
  const qr = useMemo(() => qrPath(config), [config]);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby="config-title" onClose={() => actions.closeConfig()}>
      <h2 id="config-title">{texts.config.title(client.name)}</h2>
      <p className="dialog-note">{texts.config.once}</p>
      <svg className="qr" viewBox={`0 0 ${qr.size} ${qr.size}`} role="img" aria-label={texts.config.qr(client.name)}>
        <path d={qr.path} />
      </svg>
      <details>
        <summary>{texts.config.show}</summary>
        <pre>{config}</pre>
      </details>
      <div className="actions">
        <button type="button" className="quiet" onClick={() => save(configFileName(client.name), config)}>
          {texts.config.save}
        </button>
        <button type="button" onClick={() => dialog.current?.close()}>
          {texts.config.close}
        </button>
      </div>
    </dialog>
  );
}

function save(fileName: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = fileName;
  link.click();
  URL.revokeObjectURL(url);
}
