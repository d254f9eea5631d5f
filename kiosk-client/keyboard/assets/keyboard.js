import "./telex.js";
