import { Field } from "@tenon/ui";
import { QRCodeSVG } from "qrcode.react";
import type { ReactElement } from "react";

interface AuthenticatorAppProps {
  readonly uri: string;
  readonly secret: string;
  readonly code: string;
  readonly onCode: (code: string) => void;
}

/** Its secret to scan or to type, and the first code that the app makes of it. */
export const AuthenticatorApp = (props: AuthenticatorAppProps): ReactElement => (
  <>
    <div className="code">
      <QRCodeSVG value={props.uri} size={160} title="For your authenticator app" />
    </div>
    <p className="soft">
      Cannot scan? Enter <code>{props.secret}</code>
    </p>
    <Field
      label="Code"
      hint="six digits that the app shows now"
      inputMode="numeric"
      autoComplete="one-time-code"
      value={props.code}
      onChange={(event) => props.onCode(event.target.value)}
      required
    />
  </>
);
