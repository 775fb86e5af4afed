import type { AnchorHTMLAttributes, ButtonHTMLAttributes, ReactElement } from "react";

interface Look {
  readonly look?: "main" | "danger" | "quiet";
}

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement>, Look {
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

export const LinkButton = ({
  look,
  ...rest
}: AnchorHTMLAttributes<HTMLAnchorElement> & Look): ReactElement => (
  <a {...rest} className={`button ${look ?? ""}`} />
);
