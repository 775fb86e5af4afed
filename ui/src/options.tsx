import type { ReactElement } from "react";
import {
  Button,
  ComboBox,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  Text,
} from "react-aria-components";

export interface Option {
  readonly id: string;
  readonly about?: string | undefined;
}

export interface OptionsProps {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly options: readonly Option[];
  readonly placeholder?: string | undefined;
  readonly text: string;
  readonly onText: (text: string) => void;
  readonly onPick: (id: string) => void;
  readonly autoFocus?: boolean | undefined;
}

/** A text with options beneath it that match; another text is allowed too. */
export const Options = (props: OptionsProps): ReactElement => (
  <ComboBox
    className="field"
    inputValue={props.text}
    onInputChange={props.onText}
    selectedKey={null}
    onSelectionChange={(id) => id !== null && props.onPick(String(id))}
    defaultItems={props.options}
    menuTrigger="focus"
    allowsCustomValue
    autoFocus={props.autoFocus ?? false}
  >
    <Label>{props.label}</Label>
    <div className="with-button">
      <Input placeholder={props.placeholder ?? ""} />
      {props.options.length > 0 && (
        <Button className="button quiet" aria-label={`Options of ${props.label}`}>
          <span aria-hidden="true">▾</span>
        </Button>
      )}
    </div>
    {props.hint && (
      <Text slot="description" className="soft small">
        {props.hint}
      </Text>
    )}
    <Popover className="popover options">
      <ListBox className="menu" items={props.options}>
        {({ id, about }) => (
          <ListBoxItem id={id} textValue={id} className="menu-item">
            {id}
            {about && <small className="soft">{about}</small>}
          </ListBoxItem>
        )}
      </ListBox>
    </Popover>
  </ComboBox>
);
