/** The types of `hub-client.js`, where each function and class is described. */

import type { io } from "socket.io-client";

export type Role = "doctor" | "patient" | "receptionist";
export type Status = "scheduled" | "confirmed" | "cancelled" | "completed" | "no_show" | "offered" | "lapsed";

export interface PersonName {
  id: string;
  /** Null if the account does not exist any more, or cannot be read now. */
  name: string | null;
}

/** An appointment: with the `patient` for staff, with the `doctor` for patients. Instants are RFC 3339, UTC. */
export interface Appointment {
  id: string;
  doctorId: string;
  patientId: string;
  start: string;
  end: string;
  status: Status;
  version: number;
  reason: string | null;
  createdAt: string;
  visit: "arrived" | "in_room" | null;
  arrivedAt: string | null;
  inRoomAt: string | null;
  completedAt: string | null;
  /** When an open offer ends; null for everything else. */
  offeredUntil: string | null;
  patient?: PersonName;
  doctor?: PersonName;
}

/** `opens` and `closes`: minutes of the doctor's clock; `weekday`: 0 is Monday. */
export interface Shift {
  weekday: number;
  opens: number;
  closes: number;
}

export interface Schedule {
  doctorId: string;
  zone: string;
  shifts: Shift[];
  timeOff: { id: string; start: string; end: string }[];
  disabled: boolean;
}

export interface Doctor {
  id: string;
  name: string;
  specialty: string | null;
  zone: string;
  shifts: Shift[];
  disabled: boolean;
  photo: string | null;
}

export interface Slot {
  start: string;
  end: string;
  available: boolean;
}

export interface FreeDay {
  /** A day of the doctor's time zone, such as "2026-12-01". */
  date: string;
  free: number;
}

export interface Patient {
  id: string;
  name: string;
  phone: string | null;
  email: string | null;
  hasLogIn: boolean;
  joinedInto: string | null;
}

/** The answer to a join: the account, how many appointments were moved to it, and those that stay. */
export interface JoinedPatient {
  patient: Patient;
  moved: number;
  conflicts: { appointmentId: string; start: string; code: string; detail: string }[];
}

export interface User {
  id: string;
  role: Role;
  name: string;
  email: string;
  phone: string | null;
  phoneVerified: boolean;
  createdAt: string;
  specialty: string | null;
  zone: string | null;
  language: string;
  texts: string[];
  photo: string | null;
  calendarLink: { lastRead: string | null } | null;
}

export interface BoardDoctor {
  id: string;
  name: string;
  zone: string;
  slots: Slot[];
  appointments: Appointment[];
}

/** The last `seq` of each doctor, by the doctor's id. */
export type Position = Record<string, number>;

export interface AppointmentEvent {
  type: string;
  appointment: Appointment;
  seq: number;
  prev: number;
}

export interface CalendarEvent {
  type: string;
  calendar: Schedule;
  seq: number;
  prev: number;
}

/** A patient's place in the line of a doctor. `from`, `to`, `weekdays`, `between`: by the doctor's clock. */
export interface WaitlistEntry {
  id: string;
  doctorId: string;
  patientId: string;
  from: string;
  to: string;
  weekdays: number[] | null;
  between: { opens: number; closes: number } | null;
  status: "waiting" | "booked" | "left" | "expired";
  version: number;
  createdAt: string;
  patient?: PersonName;
  doctor?: PersonName;
  /** 1 is the first; null if it does not wait any more. Events have none. */
  place?: number | null;
}

export interface Wish {
  doctorId: string;
  from: string;
  to: string;
  weekdays?: number[];
  between?: { opens: number; closes: number };
  patientId?: string;
}

export interface WaitingEvent {
  type: string;
  entry: WaitlistEntry;
  seq: number;
  prev: number;
}

export interface SlotEvent {
  doctorId: string;
  start: string;
  available: boolean;
  seq: number;
}

export interface Board {
  date: string;
  position: Position;
  doctors: BoardDoctor[];
}

export type Ack =
  | { ok: true; replayed?: boolean; appointment?: Appointment; entry?: WaitlistEntry; slots?: Slot[]; position?: Position; [more: string]: unknown }
  | { ok: false; error: { code: string; detail: string; retryAfter?: number; appointmentId?: string } };

export interface FieldError {
  /** A JSON pointer (RFC 6901), such as "/phone". */
  pointer: string;
  detail: string;
  code: string;
}

export class HubError extends Error {
  constructor(code: string, detail: string, errors?: FieldError[]);
  code: string;
  errors: FieldError[];
}

export function isUndecided(code: string): boolean;

export function request<T>(
  method: string, url: string, path: string, body?: unknown, headers?: Record<string, string>, within?: number,
): Promise<T>;

export function readDoctors(url: string): Promise<Doctor[]>;
export function readSlots(url: string, doctorId: string, date: string): Promise<Slot[]>;
export function readFreeDays(url: string, doctorId: string, options?: { from?: string; days?: number }): Promise<FreeDay[]>;

export interface SessionOptions {
  storage?: Storage | null;
  locks?: LockManager | null;
}

export function logIn(url: string, role: Role, email: string, password: string, options?: SessionOptions & { code?: string }): Promise<Session>;

/** What a line needs of a session. */
export interface Tokens {
  readonly url: string;
  readonly accessToken: string;
  renew(expired: string): Promise<void>;
}

/** A line of the answer to a change of a doctor's day. */
export interface DayChangeLine {
  type: "begun" | "changed" | "not_changed" | "finished" | "interrupted";
  [more: string]: unknown;
}

export interface DayChangeOptions {
  onLine?(line: DayChangeLine): void;
  key?: string;
  patience?: { inAll: number; each: number };
}

export abstract class HubRequests implements Tokens {
  abstract readonly url: string;
  abstract readonly accessToken: string;
  abstract renew(expired: string): Promise<void>;
  ask<T>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<T>;
  registerPatient(person: { name: string; phone?: string; email?: string }, key?: string): Promise<Patient>;
  searchPatients(query: string, limit?: number): Promise<Patient[]>;
  patient(id: string): Promise<Patient>;
  changePatient(id: string, change: Partial<Pick<Patient, "name" | "phone" | "email">>): Promise<Patient>;
  joinPatient(id: string, into: string): Promise<JoinedPatient>;
  deleteAccount(password: string): Promise<void>;
  waitlist(doctorId?: string): Promise<WaitlistEntry[]>;
  joinWaitlist(wish: Wish, key?: string): Promise<WaitlistEntry>;
  leaveWaitlist(entryId: string, key?: string): Promise<WaitlistEntry>;
  offerSlot(entryId: string, start: string, key?: string): Promise<Appointment>;
  moveDay(doctorId: string, change: { date: string; by?: number; to?: string }, options?: DayChangeOptions): Promise<DayChangeLine>;
  cancelDay(doctorId: string, change: { date: string; reason: string }, options?: DayChangeOptions): Promise<DayChangeLine>;
}

export class Session extends HubRequests {
  constructor(
    url: string,
    tokens: { accessToken: string; refreshToken: string; user?: User | null; passwordChangeRequired?: boolean },
    options?: SessionOptions,
  );
  url: string;
  accessToken: string;
  refreshToken: string;
  user: User | null;
  passwordChangeRequired: boolean;
  renew(expired: string): Promise<void>;
  changePassword(current: string, fresh: string): Promise<void>;
  forget(): void;
}

export interface Hears {
  onSnapshot?(appointments: Appointment[], position: Position, calendar?: Schedule): void;
  onAppointment?(event: AppointmentEvent): void;
  onCalendar?(event: CalendarEvent): void;
  onWaiting?(event: WaitingEvent): void;
  onWatched?(doctorId: string, date: string, slots: Slot[]): void;
  onSlot?(event: SlotEvent): void;
  onBoard?(board: Board): void;
  onConnected?(): void;
  onDisconnected?(): void;
  onEnd?(error: HubError): void;
}

export class HubLine {
  constructor(options: { io: typeof io; session: Tokens; patience?: { inAll: number; each: number } } & Hears);
  readonly position: Position;
  readonly connected: boolean;
  open(within?: number): Promise<void>;
  reconnect(): void;
  close(): void;
  command(kind: string, argument: Record<string, unknown>): Promise<Ack>;
  watch(doctorId: string, date: string): Promise<Ack>;
  unwatch(doctorId: string, date: string): Promise<Ack>;
  board(date: string, doctorId?: string[]): Promise<Ack>;
  leaveBoard(): Promise<Ack>;
}
