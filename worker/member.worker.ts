/// <reference lib="webworker" />
/** The Web Worker of one machine. */
import * as Comlink from 'comlink'
import { MemberWorker } from './member-worker.ts'

Comlink.expose(new MemberWorker())
