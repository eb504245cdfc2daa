const days = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

const day = String.raw`(?<day>\d{2})`;
const dayName = `(?:${days.map(name => name.slice(0, 3)).join('|')})`;
const month = `(?<month>${months.join('|')})`;
const time = String.raw`(?<hour>[01]\d|2[0-3]):(?<minute>[0-5]\d):(?<second>[0-5]\d|60)`;

// RFC 9110 §5.6.7: IMF-fixdate, and the two obsolete forms, of RFC 850 and of C's `asctime`.
const forms = [
	String.raw`${dayName}, ${day} ${month} (?<year>\d{4}) ${time} gmt`,
	String.raw`(?:${days.join('|')}), ${day}-${month}-(?<shortYear>\d{2}) ${time} gmt`,
	String.raw`${dayName} ${month} (?<day>\d{2}| \d) ${time} (?<year>\d{4})`,
].map(form => new RegExp(`^${form}$`, 'v'));

/**
The moment of an HTTP date in one of its three forms (RFC 9110 §5.6.7), in milliseconds since the epoch; `undefined` for anything else.

Letter case does not count: a cache is asked to be lenient there (RFC 9111 §4.2), and nowhere else.

@param now - Tells which century the two digits of an RFC 850 year are of.
*/
export function parseHttpDate(value: string | undefined, now: number): number | undefined {
	const text = value?.toLowerCase() ?? '';
	const groups = forms.values().map(form => form.exec(text)?.groups).find(found => found !== undefined);
	if (groups === undefined) {
		return undefined;
	}

	const {year, shortYear} = groups;
	return year === undefined ? shortYearMoment(groups, Number(shortYear), now) : moment(groups, Number(year));
}

type Parts = Readonly<Record<string, string>>;

// What seems more than 50 years ahead is of the past (RFC 9110 §5.6.7).
function shortYearMoment(parts: Parts, shortYear: number, now: number): number | undefined {
	const latest = new Date(now);
	latest.setUTCFullYear(latest.getUTCFullYear() + 50);
	const limit = latest.getTime();
	const year = latest.getUTCFullYear();
	const candidate = year - (year % 100) + shortYear;
	return moment(parts, timeOf(parts, candidate) > limit ? candidate - 100 : candidate);
}

function moment(parts: Parts, year: number): number | undefined {
	const milliseconds = timeOf(parts, year);

	// The 30th of February would be a day in March.
	return new Date(milliseconds).getUTCDate() === Number(parts.day) ? milliseconds : undefined;
}

function timeOf({month: name, day: date, hour, minute, second}: Parts, year: number): number {
	// `Date.UTC` takes the years 0 to 99 for those of the 20th century.
	const midnight = new Date(0).setUTCFullYear(year, months.indexOf(name!), Number(date));

	// A leap second is read as the one before it: never later than was said (RFC 9111 §4.2).
	return midnight + (((((Number(hour) * 60) + Number(minute)) * 60) + Math.min(Number(second), 59)) * 1000);
}

// The years 0000 and 9999 are the last that have four digits.
const first = -62_167_219_200_000;
const last = 253_402_300_799_999;

/**
The IMF-fixdate of a moment (RFC 9110 §5.6.7), without its milliseconds; of the nearest one that can be written, where the year has more than four digits.
*/
export function formatHttpDate(milliseconds: number): string {
	return new Date(Math.min(Math.max(milliseconds, first), last)).toUTCString();
}
