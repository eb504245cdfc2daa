export {GotCacheInstrumentation, type GotCacheInstrumentationConfig} from './instrumentation.ts';
