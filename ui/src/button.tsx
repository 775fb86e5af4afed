import type { ButtonHTMLAttributes, ReactElement } from "react";

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly look?: "main" | "danger" | "quiet";
  /** While true it cannot be pressed again, and says so. */
  readonly busy?: boolean;
  /** Why it cannot be pressed; shown to whoever asks. */
  readonly forbidden?: string | undefined;
}

export function Button({ look, busy, forbidden, ...rest }: ButtonProps): ReactElement {
  return (
    <button
      type="button"
      {...rest}
      className={`button ${look ?? ""}`}
      disabled={rest.disabled === true || busy === true || forbidden !== undefined}
      aria-busy={busy}
      title={forbidden ?? rest.title}
    />
  );
}
