import { IconButton } from '../ui/icon-button.js';
import { chooseTheme, useTheme } from './theme.js';

/** Switches between light and dark. */
export function ThemeToggle() {
  const other = useTheme() === 'dark' ? 'light' : 'dark';
  return (
    <IconButton
      icon={other === 'dark' ? 'moon' : 'sun'}
      label={`Switch to ${other} theme`}
      onClick={() => chooseTheme(other)}
    />
  );
}
