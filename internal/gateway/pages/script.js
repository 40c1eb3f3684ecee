(function () {
  var app = document.getElementById('app');
  var clientId = app.getAttribute('data-client');
  function go(query) {
    location.replace(app.getAttribute('data-return') + '?' + query + '&state=' + encodeURIComponent(app.getAttribute('data-state')));
  }
  function done(code) { go('code=' + encodeURIComponent(code)); }
  function failed() { go('error=access_denied'); }
  try {
    /*CALL*/
  } catch (e) { failed(); }
})();
