/** The drawings used on the screens: one stroke, one size, always beside words or with a name of their own. */
const drawings = {
  calls: "M4 8v8M8 5v14M12 9v6M16 11.5v1M20 11.5v1",
  users: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20c.6-3.6 3.2-5.5 6.5-5.5s5.9 1.9 6.5 5.5M16 4.4a3.5 3.5 0 0 1 0 6.2M18 14.9c2 .8 3.2 2.5 3.5 5.1",
  log: "M6 3.5h12v17H6zM9 8h6M9 12h6M9 16h3",
  health: "M3 12.5h4l2.5-7 4 13 2.5-6h5",
  help: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM9.5 9.3c.2-1.4 1.2-2.2 2.6-2.2 1.5 0 2.6.9 2.6 2.3 0 2-2.6 2.1-2.6 4.2M12 16.6v.1",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.4M18.4 5.6 17 7M7 17l-1.4 1.4",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z",
  half: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 3v18M12 7h6.5M12 11h8.8M12 15h8.5M12 19h5",
  out: "M10 4H5v16h5M14 8l4 4-4 4M18 12H9",
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6 6 18",
  play: "M8 5.2v13.6L19 12z",
  pause: "M8.5 5.5v13M15.5 5.5v13",
  back: "M11 7 6 12l5 5M18 7l-5 5 5 5",
  forward: "m13 7 5 5-5 5M6 7l5 5-5 5",
  arrow: "M5 12h14M13 6l6 6-6 6",
  left: "M19 12H5M11 6l-6 6 6 6",
  check: "M5 12.5 10 17.5 19.5 7",
  plus: "M12 5v14M5 12h14",
  copy: "M9 9h10v11H9zM15 9V4H5v11h4",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  key: "M8 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12 12h9M18 12v4M15 12v3",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12ZM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.5 15.5 20.5 20.5",
  headset: "M4 14v-2a8 8 0 0 1 16 0v2M4 13.5h3.5V20H4zM16.5 13.5H20V20h-3.5z",
  mask: "M4 12h16M4 8h3M10 8h4M17 8h3M4 16h3M10 16h4M17 16h3",
  flag: "M6 21V4M6 4.500h11l-2 4 2 4H6",
  recall: "M4.500 12a7.500 7.500 0 1 0 2.300-5.400L4.500 9M4.500 4.500V9H9M12 8v4.300l2.800 1.700",
  inform: "M5 5h14v11h-7l-4 3.500V16H5zM9 9h6M9 12h4",
  hold: "M9 5.500v13M15 5.500v13",
  hangup: "M3.500 14.500c-.4-1.500 0-3 1.400-3.800 4.400-2.500 9.800-2.500 14.200 0 1.400.8 1.800 2.300 1.400 3.800l-.2.8-4-1.100-.2-2.600a12 12 0 0 0-8.200 0l-.2 2.600-4 1.100z",
  microphone: "M12 14.500a3 3 0 0 0 3-3v-5a3 3 0 0 0-6 0v5a3 3 0 0 0 3 3ZM6 11.500a6 6 0 0 0 12 0M12 17.500v3",
  muted: "M12 14.500a3 3 0 0 0 3-3v-5a3 3 0 0 0-6 0v5a3 3 0 0 0 3 3ZM6 11.500a6 6 0 0 0 12 0M12 17.500v3M4 4l16 16",
  case: "M4 7.500h16V19H4zM9 7.500V5h6v2.500M4 12.500h16",
  pencil: "M5 19l1-4L16.500 4.500l3 3L9 18zM14 7l3 3",
  repeat: "M5 11V9a3 3 0 0 1 3-3h10M15.500 3.500 18 6l-2.500 2.500M19 13v2a3 3 0 0 1-3 3H6M8.500 15.500 6 18l2.500 2.500",
  phone: "M6.5 3.5 9.5 4l1 4.2-2 1.6c1 2.3 2.6 4 5 5.2l1.7-2 4.3 1 .5 3c-.3 1.9-1.6 3-3.5 3C9.6 19.4 4 13 3.6 7c0-1.9 1-3.2 2.9-3.5Z",
} as const;

export type Drawing = keyof typeof drawings;

export function Icon({ name, size = 20 }: { name: Drawing; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={drawings[name]} />
    </svg>
  );
}
