package citizen

// ConsentVersion names the words by which a person agrees to be called back (citizenpage.call_back and citizenpage.consent, which a
// kiosk shows too): changed words are a new version.
const ConsentVersion = "call-back-1"
