import {list} from './credential-row.ts';

/** Last words that do not change what the words before them say: `password_confirmation`, `token_value`. */
export const neutralWords: readonly string[] = list(`
	value string str text txt raw header field param parameter input data binary material info hex encoded encrypted enc hash hashed md sha ed pem der
	digest proof plain clear cleartext
	confirmation confirm again repeat repeated retype check verification new old current original temp temporary first one two
`);

/** First words of a name that ask whether there is something: `has_password`, `use_token`. Such a name is plain. */
export const questionWords: readonly string[] = list(`
	is has use uses supports require requires need needs allow allows enable disable show hide should can with without include exclude return returns no
`);

/** Words that have no say, but that names are run together with: `myapikey`. `passwordless` is here so that no password is found in it. */
export const otherWords: readonly string[] = list('my the https host php asp net amz aws google azure github gitlab slack custom customer rest pro multi passwordless');

/**
Endings of words that are split off whatever stands before them, even where it is unknown: `hapikey`, `acmetoken`. Hardly any other English word ends with one of them.
*/
export const strongEndings: readonly string[] = list(`
	token password passwd passphrase passcode secret apikey signature credential credentials authorization privatekey secretkey accesskey accesskeyid sessionid sessid
	cookie
`);

/** Words that are found within others, whatever stands around them: `ASPSESSIONIDQQBC`. */
export const strongMiddles: readonly string[] = list('password passwd apikey authtoken accesstoken sessionid secretkey privatekey');
