/** The page. */
import { explain } from "../src-shared/text/headline.ts";
import { useActions, usePanel, useTexts } from "./components/context.ts";
import { Clients } from "./features/clients/clients.tsx";
import { ConfigDialog } from "./features/clients/config-dialog.tsx";
import { Overview } from "./features/overview/overview.tsx";

export function App() {
  return (
    <>
      <Header />
      <main>
        <Problem />
        <Overview />
        <Clients />
      </main>
      <ConfigDialog />
    </>
  );
}

function Header() {
  const texts = useTexts();
  const version = usePanel((state) => state.node?.value.version);
  return (
    <header>
      <img src="./icon.svg" alt="" width="28" height="28" />
      <span className="name">{texts.app}</span>
      {version !== undefined && <span className="version">{texts.version(version)}</span>}
    </header>
  );
}

function Problem() {
  const texts = useTexts();
  const actions = useActions();
  const problem = usePanel((state) => state.problem);
  if (problem === undefined) return null;
  return (
    <div className="banner" role="alert">
      <span>{explain(problem)}</span>
      <button type="button" className="quiet" onClick={() => actions.dismissProblem()}>
        {texts.problem.dismiss}
      </button>
    </div>
  );
}
