(function () {
  var box = document.getElementById('code'), poll = box.getAttribute('data-poll');
  var left = document.getElementById('left'), hint = document.getElementById('hint');
  var until = Date.now() + 120000, ended = false;
  function over(zh, en, code) {
    ended = true;
    document.getElementById('over-code').textContent = code;
    document.getElementById('over-zh').textContent = zh;
    document.getElementById('over-en').textContent = en;
    document.getElementById('over').hidden = false;
    left.textContent = '';
    hint.hidden = true;
  }
  function take(a) {
    if (a.state === 'done') { ended = true; location.replace(a.url); return; }
    if (a.state === 'scanned') { left.textContent = '已扫码，请在手机上确认 · Scanned: confirm on your phone'; left.className = 'strong'; until = 0; }
    if (a.state === 'expired') { over('二维码已过期', 'The code has expired', ''); }
    if (a.state === 'refused') { over(a.zh.problem + a.zh.next, a.en.problem + ' ' + a.en.next, a.code + ' · ' + a.trace); }
  }
  function ask() {
    if (ended) { return; }
    var r = new XMLHttpRequest();
    r.open('GET', poll);
    r.timeout = 10000;
    r.onloadend = function () {
      if (r.status === 200) { try { take(JSON.parse(r.responseText)); } catch (e) { /* asked again */ } }
      setTimeout(ask, 1500);
    };
    r.send();
  }
  setInterval(function () {
    if (!ended && until) { left.textContent = Math.max(0, Math.ceil((until - Date.now()) / 1000)) + ' s'; }
  }, 1000);
  ask();
})();
