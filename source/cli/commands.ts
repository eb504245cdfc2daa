export {copy} from './copy.ts';
export {explain} from './explain.ts';
export {get} from './get.ts';
export {archive} from './har.ts';
export {list} from './ls.ts';
export {remove} from './rm.ts';
export {show} from './show.ts';
export {stats} from './stats.ts';
