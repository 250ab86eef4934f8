import { defineTool, ToolError } from '@runwire/agent-handler';
import type { Clock } from '@runwire/kernel';
import { z } from 'zod';

/** Cities that people ask for and that no IANA zone is named after. */
const ZONE_OF_CITY: Readonly<Record<string, string>> = {
  beijing: 'Asia/Shanghai',
  bern: 'Europe/Zurich',
  boston: 'America/New_York',
  cologne: 'Europe/Berlin',
  delhi: 'Asia/Kolkata',
  frankfurt: 'Europe/Berlin',
  geneva: 'Europe/Zurich',
  hamburg: 'Europe/Berlin',
  kolkata: 'Asia/Kolkata',
  kyiv: 'Europe/Kiev',
  mumbai: 'Asia/Kolkata',
  munich: 'Europe/Berlin',
  'new delhi': 'Asia/Kolkata',
  osaka: 'Asia/Tokyo',
  philadelphia: 'America/New_York',
  'rio de janeiro': 'America/Sao_Paulo',
  'san francisco': 'America/Los_Angeles',
  seattle: 'America/Los_Angeles',
  'tel aviv': 'Asia/Jerusalem',
  utc: 'UTC',
  washington: 'America/New_York',
};

/** Tells the time in a place. */
export function createClockTool(deps: { readonly clock: Clock }) {
  return defineTool({
    name: 'clock',
    description: 'Tells the date and time in a city or an IANA time zone.',
    input: z.object({ place: z.string().min(1).max(100) }),
    run: async ({ place }) => {
      const zone = timeZoneOf(place);
      const time = new Intl.DateTimeFormat('en-GB', {
        dateStyle: 'full',
        timeStyle: 'short',
        timeZone: zone,
      });
      return { zone, time: time.format(deps.clock.nowMs()) };
    },
  });
}

/**
 * The IANA zone of a city or zone name.
 * @throws ToolError naming the place when there is none
 */
export function timeZoneOf(place: string): string {
  const wanted = place.trim().toLowerCase();
  const known = ZONE_OF_CITY[wanted];
  if (known !== undefined && Object.hasOwn(ZONE_OF_CITY, wanted)) return known;
  const name = wanted.replaceAll(' ', '_');
  const zone = Intl.supportedValuesOf('timeZone').find((candidate) => {
    const lower = candidate.toLowerCase();
    return lower === name || lower.endsWith(`/${name}`);
  });
  if (zone !== undefined) return zone;
  if (isTimeZone(place.trim())) return place.trim();
  throw new ToolError(
    `I know no time zone for "${place}". Try a city such as Tokyo, or a zone such as Europe/Paris.`,
  );
}

/** Names that are accepted and not listed, such as `GMT` or `CET`. */
function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-GB', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
