/** What TensorFlow.js knows the backend by. */
export const BACKEND = 'lowbit'
