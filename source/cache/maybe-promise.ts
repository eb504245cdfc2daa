export {chain, type MaybePromise} from '../model/maybe-promise.ts';
