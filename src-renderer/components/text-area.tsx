/** Several lines of text with their label, hint and error. */
import type { ComponentProps, ReactNode } from "react";
import { Field } from "./field.tsx";

export interface TextAreaProps extends Omit<ComponentProps<"textarea">, "onChange" | "value" | "id" | "children"> {
  readonly label: ReactNode;
  readonly hint?: ReactNode;
  readonly error?: string | undefined;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

export function TextArea({ label, hint, error, value, onChange, ...rest }: TextAreaProps) {
  return (
    <Field label={label} error={error} {...(hint === undefined ? {} : { hint })}>
      {(ids) => (
        <textarea
          className="input"
          autoComplete="off"
          spellCheck={false}
          {...rest}
          {...ids}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
