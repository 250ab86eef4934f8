// swc's helper for `await using` names a class that it does not define when a test and a disposal both fail;
// without it neither failure would be shown.
globalThis._SuppressedError ??= class SuppressedError extends Error {
  constructor(error, suppressed) {
    super(`${suppressed?.stack ?? suppressed}\nand then the disposal failed: ${error?.stack ?? error}`);
    this.name = 'SuppressedError';
    this.error = error;
    this.suppressed = suppressed;
  }
};
