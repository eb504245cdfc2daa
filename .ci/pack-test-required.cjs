// Required by a CommonJS module that is imported: some versions of Node.js load it in a way of its own where there are hooks.
module.exports = require('got').default;
