import type { ButtonHTMLAttributes } from 'react';
import { Icon, type IconName } from './icon.js';

/** A button that shows an icon and says `label`. */
export function IconButton(
  props: { readonly icon: IconName; readonly label: string } & ButtonHTMLAttributes<HTMLButtonElement>,
) {
  const { icon, label, className, ...rest } = props;
  const classes = className === undefined ? 'icon-button' : `icon-button ${className}`;
  return (
    <button type="button" className={classes} aria-label={label} title={label} {...rest}>
      <Icon name={icon} />
    </button>
  );
}
