/** The screen's answer to its question, in one sentence, before everything else. */
import type { ReactNode } from "react";
import { Card } from "./card.tsx";
import { type Tone, ToneSign } from "./tone.tsx";
import "./answer.css";

export interface AnswerProps {
  readonly tone: Tone;
  readonly sentence: ReactNode;
  readonly detail?: ReactNode;
  readonly action?: ReactNode;
}

export function Answer({ tone, sentence, detail, action }: AnswerProps) {
  return (
    <Card className="answer">
      <ToneSign tone={tone} />
      <div className="answer-words">
        <p className="answer-sentence" role="status">
          {sentence}
        </p>
        {detail !== undefined && <div className="answer-detail">{detail}</div>}
      </div>
      {action !== undefined && <div className="answer-action">{action}</div>}
    </Card>
  );
}
