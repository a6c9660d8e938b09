export const uses = {};
